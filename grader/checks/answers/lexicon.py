"""Tables of English words: which mean much the same here, which are opposites, which carry no content.

Every word of a group can stand for every other one when a statement is looked for. A word may be in several
groups. After `|` come the opposites: they count as the group's words, turned round.
"""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """The words of a string."""
    return frozenset(words.split())


GROUPS: dict[str, str] = {
    "capacity": "capacity room slot storage memory",
    "store": "memorize memorise memorization memorisation remember store save keep retain hold record "
    "lookup preserve fit accommodate squeeze",
    "exact": "exact exactly verbatim perfectly literally precisely identical",
    "few": "few fewer small smaller low lower tiny narrow little reduced short limited",
    "many": "many multiple several numerous countless plenty plentiful lots various",
    "large": "large larger big bigger huge great massive vast amounts",
    "all": "all every each everything whole",
    "enough": "enough sufficient suffice suffices adequate",
    "learn": "learn discover find extract identify detect understand capture grasp figure know",
    "feature": "feature trait characteristic property attribute factor aspect",
    "structure": "structure pattern regularity manifold essence essential underlying rule",
    "common": "common share shared general typical regularity commonality",
    "important": "important essential relevant main key matter significant crucial salient useful",
    "copy": "copy identity replicate duplicate clone pass transmit forward trivial shortcut wire relay echo",
    "useful": "useful helpful meaningful valuable informative interesting | useless pointless meaningless "
    "worthless",
    "image": "image picture photo photograph",
    "digit": "digit number image picture",
    "input": "input itself",
    "capture": "capture represent encode describe express contain include reflect",
    "near": "near nearby nearest close closer closest neighbor neighbour adjacent together next proximity "
    "| far apart distant",
    "similar": "similar alike resemble same like related akin similarity overlap",
    "different": "different differ dissimilar various vary varying difference change changes",
    "shape": "shape stroke curve curved loop outline line contour round edge form",
    "shift": "shift shifting translate translation move moving displace rotate rotating rotation tilt "
    "displacement displaced moved offset",
    "position": "position location place spot coordinate",
    "light": "lighting light brightness illumination exposure contrast",
    "angle": "angle viewpoint perspective view camera pose orientation rotation",
    "scale": "scale size zoom",
    "intensity": "intensity value values brightness gray grey",
    "raw": "raw individual single wise separately",
    "compare": "compare comparison compares measure match",
    "large_distance": "distance gap far apart dissimilar",
    "ignore": "ignore discard drop throw omit forget filter remove eliminate suppress leave reduce less "
    "separate",
    "remove": "remove clean denoise denoising filter eliminate discard rid restore repair recover cleaned "
    "reconstruct",
    "noise": "noise noisy denoise denoising corrupt corrupted corruption damage damaged distort distorted "
    "distortion grain scratch scratched degrade degraded perturb perturbed perturbation grainy "
    "nuisance disturbance disturbed blemish",
    "restore": "restore repair fix recover clean fill inpaint reconstruct restoration",
    "redundancy": "redundancy redundant irrelevant unnecessary superfluous detail details",
    "compact": "compact compressed condensed dense compress lower small smaller concise",
    "dimension": "dimension dimensional dimensionality number unit value entry entries",
    "meaning": "meaning semantic semantics content concept abstract",
    "abstract": "abstract semantic meaningful",
    "downstream": "downstream classification classifier classify clustering cluster task regression",
    "label": "label labels labeled labelled annotation annotate annotated annotating labeling labelling "
    "tag tags | unlabeled unlabelled unannotated",
    "target": "target label desired goal original",
    "expensive": "expensive costly cost costs money scarce rare unavailable laborious tedious slow",
    "manual": "manual human person people hand nobody",
    "reconstruct": "reconstruct reproduce rebuild recreate regenerate reconstruction copy",
    "classifier": "classifier classification classify svm regression supervised head svm",
    "finetune": "fine tune tuned tuning finetune finetuned pretrained pretrain pretraining transfer "
    "initialize reuse",
    "feature_vector": "latent code embedding vector representation codes hidden feature",
    "encode": "encoder encode encoded embed embedding embedded encoding",
    "sample": "sample draw drawn sampling random randomly pick",
    "decode": "decode decoder decoded decoding",
    "generate": "generate create produce synthesize synthesise make invent generation generative yield "
    "obtain synthesis fabricate",
    "new": "new novel unseen fresh additional existed unknown",
    "existing": "existing given seen known",
    "realistic": "realistic plausible believable sensible valid natural convincing meaningful | garbage "
    "nonsense unrealistic",
    "smooth": "smooth continuous gradual gradually smoothly continuity smoothness",
    "blend": "blend mix mixture combine combines combination between morph hybrid middle half intermediate "
    "merge halfway share",
    "both": "both two",
    "transition": "transition morph morphing interpolation interpolate interpolating gradual",
    "blurry": "blurry blurrier blur blurred fuzzy unsharp washed soft smeared | sharp sharper crisp crisper",
    "quality": "quality fidelity sharpness accurate",
    "balance": "balance tradeoff compromise compete competing versus weigh against",
    "regularize": "kl divergence kullback regularization regularizer regularisation",
    "complex": "complex complicated difficult sophisticated harder hard intricate | simple easy simpler "
    "easier",
    "robust": "robust insensitive invariant stable resilient robustness invariance | sensitive fragile",
    "stable": "stable invariant same constant unchanged remain stay",
    "variant": "variant variation version copies copy",
    "augment": "augmentation augment enlarge multiply extend increase expand enlarge bigger",
    "training": "training train trained iterative epoch epochs gradient descent optimization iteration",
    "linear": "linear linearly | nonlinear nonlinearly nonlinearity nonlinearities curved",
    "fast": "fast faster quick quicker quickly cheap cheaper efficient | slow slower longer expensive costly",
    "computation": "computation computational compute computing cost time effort resources gpu",
    "closed": "closed svd eigendecomposition eigenvector eigenvalue analytic analytical direct",
    "prefer": "prefer preferred better choose choice take suited suitable",
    "better": "better superior improve improved best | worse inferior worst",
    "object": "object thing things person people face dog cat scene objects place",
    "semantic": "semantic content meaning object scene subject",
    "search": "search find query retrieve retrieval lookup return compare",
    "distance": "distance similarity compare cosine euclidean",
    "generalize": "generalize generalise generalization generalisation general",
    "overfit": "overfit overfitting overfitted overfits",
    "gap": "gap difference larger higher lower",
    "loss": "loss error mse",
    "lose": "lose loses lost loss missing",
    "require": "need needs require required requires requirement necessary must",
    "possible": "possible able ability capable capability",
    "relate": "relate related relation related | unrelated nothing",
    "train_set": "train training",
    "test_set": "test unseen validation",
    "grow": "grow grows increase increases rise rises wider bigger larger higher more",
    "fall": "fall falls decrease decreases drop drops shrink lower smaller less reduce reduces",
    "clear": "sharp sharper clear clearer detailed crisp better",
}

# Groups whose words turn a sentence round when they are negated or replaced by their opposite.
POLAR = word_set(
    """store copy learn need require enough useful near generate robust blurry linear fast better possible
    remove restore memorize reconstruct capture classifier prefer label complex overfit relate
    generalize sample ignore finetune downstream"""
)

# What is said of a whole statement, and which of these words deny it: "not true" denies, "no doubt" does not.
DENIALS = word_set(
    """false wrong untrue incorrect mistaken nonsense myth myths misconception misunderstanding fallacy doubt
    doubts doubtful deny denies denied disagree disagrees dispute refute"""
)
OPINIONS = word_set(
    """doubt doubts deny denies denied disagree disagrees dispute refute believe believes think thinks agree
    agrees claim claims say says mean"""
)  # of what follows
VERDICTS = DENIALS | OPINIONS | word_set("true right correct case")
CLAIMS = word_set(
    "claim claims statement idea belief assumption notion opinion say claim think believe assume"
)
REFERRING = CLAIMS | word_set(
    """that this it they these those which all is are was were be been s but and so however simply just
    completely totally actually a an the not no of course very quite though would people who both at"""
)

# Sizes: a small gap is no large gap, yet a small shift may well make a large distance.
SMALL = word_set("few fewer small smaller low lower tiny narrow little short")
LARGE = word_set("many large larger big bigger high higher huge great greater vast wide wider")

# Words that turn what stands beside them into its contrary, in whatever way: whoever uses one that a
# statement does not have may say something else.
TURNING = DENIALS | word_set(
    """opposite contrary reverse conversely absent thrown discard destroy hide lose vanish wrongly
    falsely prevent superfluous"""
)

# Words of nearly every answer to nearly every question: they carry little.
GENERIC = word_set(
    """model network net autoencoder autoencoders data image images picture pictures input inputs output
    latent space digit digits learn learns learned vector pixel pixels photo photos result set value
    values number numbers point points need information make makes get give show vae vaes pca standard
    method approach technique transformation function mapping consist"""
)

STOP = word_set(
    """a an the this that these those it its they them their there here he she we i you me my our your us
    is are was were be been being am do does did done has have had having will would shall should
    can could may might must of to in on at by for with from into onto about as than then so thus
    therefore hence because since if when while whereas although though but and or nor not no never also
    too very just only even still such what which who whom whose how why where more most much some any
    other another again already like however use uses used using usage instead rather e g i e etc via
    per be s t d ll re ve m up out off over under well get gets got let lets us yes ok way case
    actually really simply basically mostly often usually would become becomes afterwards later think
    hope question answer whatever something anything kind sort able"""
)

# Small words that English sentences are made of: lists of terms have hardly any.
FUNCTION = STOP - {"like", "case", "way", "question", "answer", "kind", "sort", "able"} | {
    "cannot",
    "one",
    "without",
}

OTHER_LANGUAGES: dict[str, frozenset[str]] = {
    "German": word_set(
        "der die das und ist nicht ein eine einen einem mit für von zu den dem des im auf sich auch als man "
        "kann wird werden es sind aber wie wenn dass weil oder durch aus bei nur noch über muss hat"
    ),
    "Spanish": word_set(
        "el la los las un una de del que y en no es se por para con como pero más su al lo son porque si "
        "sin puede pueden debe entre cada también muy"
    ),
    "French": word_set(
        "le la les un une des de du et est dans que qui ne pas pour par sur avec ce cette ces il elle sont "
        "plus au aux mais ou donc car on peut comme sans être"
    ),
    "Italian": word_set(
        "il lo la gli le un una di del della che e è non per con come ma più si sono nel alla dei delle può "
        "perché anche questo ogni"
    ),
    "Portuguese": word_set(
        "o a os as um uma de do da dos das que e em não é se por para com como mas mais seu ao são porque "
        "pode cada também muito isso"
    ),
    "Dutch": word_set(
        "de het een en van is niet met voor dat op te zijn die er aan ook als maar kan wordt worden naar "
        "door omdat bij deze geen meer"
    ),
    "Polish": word_set("i w na z się nie jest do że to jak ale przez dla od są oraz może po czy"),
    "Turkish": word_set("ve bir bu için ile de da değil olarak daha çok gibi ama her olan kadar"),
}

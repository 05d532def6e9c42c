"""Tables of English words: which mean much the same here, which are opposites, which carry no content.

Every word of a group can stand for every other one when a statement is looked for. A word may be in several
groups. After `|` come the opposites: they count as the group's words, turned round.
"""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """The words of a string."""
    return frozenset(words.split())


GROUPS: dict[str, str] = {
    "capacity": "capacity room slot storage memory bandwidth",
    "store": "memorize memorise memorization memorisation remember store save keep retain hold record "
    "lookup preserve fit accommodate squeeze heart cram survive survives recall recite regurgitate "
    "parrot",
    "exact": "exact exactly verbatim perfectly literally precisely identical",
    "few": "few fewer small smaller low lower tiny narrow little reduced short limited handful restricted",
    "many": "many multiple several numerous countless plenty plentiful lots various",
    "large": "large larger big bigger huge great massive vast amounts enormous gigantic tons bunch",
    "all": "all every each everything whole",
    "enough": "enough sufficient suffice suffices adequate ample",
    "learn": "learn discover find extract identify detect understand capture grasp figure know recognize "
    "recognise distill infer realize notice",
    "feature": "feature trait characteristic property attribute factor aspect ingredient cue",
    "structure": "structure pattern regularity manifold essence essential underlying rule principle gist "
    "core skeleton correlation correlations correlated relationship relationships dependency "
    "dependencies",
    "common": "common share shared general typical regularity commonality",
    "important": "important essential relevant main key matter significant crucial salient useful core "
    "central vital necessary basic characteristic",
    "copy": "copy identity replicate duplicate clone pass transmit forward trivial shortcut wire relay echo "
    "mimic mirror cheat bypass",
    "useful": "useful helpful meaningful valuable informative interesting handy practical | useless "
    "pointless meaningless worthless",
    "image": "image picture photo photograph img imgs pic pics shot snapshot scan frame face drawing bitmap "
    "bitmaps visual",
    "digit": "digit number image picture numeral",
    "input": "input itself",
    "capture": "capture represent encode describe express contain include reflect depict depicted",
    "near": "near nearby nearest close closer closest neighbor neighbour adjacent together next proximity "
    "knn nn beside neighbourhood neighborhood around | far apart distant",
    "similar": "similar alike resemble same like related akin similarity overlap comparable lookalike match "
    "matches matching",
    "different": "different differ dissimilar various vary varying difference change changes differently "
    "unlike distinct changed mismatch disagree",
    "shape": "shape stroke curve curved loop outline line contour round edge",
    "shift": "shift shifting translate translation move moving displace rotate rotating rotation tilt "
    "displacement displaced moved offset slide slid crop cropped jitter turn turned turning flip "
    "flipped flipping align aligned",
    "position": "position location place spot coordinate corner",
    "light": "lighting light brightness illumination exposure contrast dark darker bright brighter sunny "
    "night shadow lit fog sun weather",
    "angle": "angle viewpoint perspective view camera pose orientation rotation side turned direction",
    "scale": "scale size zoom crop cropped resolution",
    "intensity": "intensity value values brightness gray grey color colour colors colours rgb",
    "raw": "raw individual single wise separately independently",
    "compare": "compare comparison compares measure match",
    "large_distance": "distance gap far apart dissimilar",
    "ignore": "ignore discard drop throw omit forget filter remove eliminate suppress leave reduce less "
    "separate vanish disappear skip neglect cut strip",
    "remove": "remove clean denoise denoising filter eliminate discard rid restore repair recover cleaned "
    "reconstruct erase tidy undo wipe",
    "noise": "noise noisy denoise denoising corrupt corrupted corruption damage damaged distort distorted "
    "distortion grain scratch scratched degrade degraded perturb perturbed perturbation grainy "
    "nuisance disturbance disturbed blemish dirt dirty dust dusty static smudge smudged "
    "interference artifact artefact spoil spoiled broken messy stain crackle destroyed destroy",
    "restore": "restore repair fix recover clean fill inpaint reconstruct restoration tidy recovered "
    "denoise corrected",
    "redundancy": "redundancy redundant irrelevant unnecessary superfluous detail details unimportant "
    "clutter junk rest useless",
    "compact": "compact compressed condensed dense compress lower small smaller concise squeeze squeezed",
    "dimension": "dimension dimensional dimensionality number unit value entry entries",
    "meaning": "meaning semantic semantics content concept abstract mean means show shows topic",
    "abstract": "abstract semantic meaningful",
    "downstream": "downstream classification classifier classify clustering cluster task regression predict "
    "prediction",
    "label": "label labels labeled labelled annotation annotate annotated annotating labeling labelling tag "
    "tags truth tagged groundtruth name names | unlabeled "
    "unlabelled unannotated",
    "target": "target label desired goal original truth supervision",
    "expensive": "expensive costly cost costs money scarce rare unavailable laborious tedious slow pricey "
    "effort consuming hours",
    "manual": "manual human person people hand nobody humans annotator expert experts someone somebody "
    "doctor doctors teacher",
    "reconstruct": "reconstruct reproduce rebuild recreate regenerate reconstruction copy redraw restore "
    "draw reproduced recover undo",
    "classifier": "classifier classification classify svm regression supervised head logistic softmax "
    "predict prediction predictions predictor diagnose",
    "finetune": "fine tune tuned tuning finetune finetuned pretrained pretrain pretraining transfer "
    "initialize reuse init initialise start starting",
    "feature_vector": "latent code embedding vector representation codes hidden feature z bottleneck "
    "latents descriptor fingerprint vec",
    "encode": "encoder encode encoded embed embedding embedded encoding convert converts converted map maps "
    "mapped project projected",
    "sample": "sample draw drawn sampling random randomly pick choose grab",
    "decode": "decode decoder decoded decoding",
    "generate": "generate create produce synthesize synthesise make invent generation generative yield "
    "obtain synthesis fabricate draw imagine build new",
    "new": "new novel unseen fresh additional existed unknown",
    "existing": "existing given seen known previous old",
    "realistic": "realistic plausible believable sensible valid natural convincing meaningful credible real "
    "proper reasonable sense lifelike authentic | garbage nonsense unrealistic",
    "smooth": "smooth continuous gradual gradually smoothly continuity smoothness gapless organized "
    "organised fluent seamless seamlessly",
    "blend": "blend mix mixture combine combines combination between morph hybrid middle half intermediate "
    "merge halfway share cross",
    "both": "both two",
    "transition": "transition morph morphing interpolation interpolate interpolating gradual animation "
    "animate gradually video",
    "blurry": "blurry blurrier blur blurred fuzzy unsharp washed soft smeared smooth smoother vague unclear "
    "softer hazy pixelated muddy unrecognizable unrecognisable | sharp sharper crisp crisper",
    "quality": "quality fidelity sharpness accurate good detail details",
    "balance": "balance tradeoff compromise compete competing versus weigh against trade tradeoffs exchange "
    "price sacrifice sacrifices",
    "regularize": "kl divergence kullback regularization regularizer regularisation penalty gaussian prior",
    "complex": "complex complicated difficult sophisticated harder hard intricate tricky fiddly messy "
    "twisted complexity | simple easy simpler easier",
    "robust": "robust insensitive invariant stable resilient robustness invariance tolerant reliable "
    "tolerate | sensitive fragile",
    "stable": "stable invariant same constant unchanged remain stay unaffected",
    "variant": "variant variation version copies copy versions differently modified modification "
    "modifications",
    "augment": "augmentation augment enlarge multiply extend increase expand bigger inflate artificial "
    "artificially",
    "training": "training train trained iterative epoch epochs gradient descent optimization iteration sgd "
    "backprop backpropagation",
    "linear": "linear linearly | nonlinear nonlinearly nonlinearity nonlinearities curved",
    "fast": "fast faster quick quicker quickly cheap cheaper efficient seconds instant instantly "
    "immediately | slow slower longer expensive costly hours",
    "computation": "computation computational compute computing cost time effort resources gpu hardware "
    "power expensive runtime gpus seconds minutes hours",
    "closed": "closed svd eigendecomposition eigenvector eigenvalue analytic analytical direct formula "
    "matrix decomposition algebra once",
    "prefer": "prefer preferred better choose choice take suited suitable go pick",
    "better": "better superior improve improved best nicer | worse inferior worst",
    "object": "object thing things person people face dog cat scene objects place building buildings car "
    "cars animal faces child",
    "semantic": "semantic content meaning object scene subject topic",
    "search": "search find query retrieve retrieval lookup return compare look looks browse",
    "distance": "distance similarity compare cosine euclidean",
    "generalize": "generalize generalise generalization generalisation general transfers",
    "overfit": "overfit overfitting overfitted overfits memorize memorise memorized",
    "gap": "gap difference larger higher lower discrepancy",
    "loss": "loss error mse errors mistake mistakes deviation",
    "lose": "lose loses lost loss missing throw thrown gone disappear",
    "require": "need needs require required requires requirement necessary force forced",
    "possible": "possible able ability capable capability",
    "relate": "relate related relation | unrelated nothing",
    "train_set": "train training",
    "test_set": "test unseen validation new fresh unknown",
    "grow": "grow grows increase increases rise rises wider bigger larger higher more",
    "fall": "fall falls decrease decreases drop drops shrink lower smaller less reduce reduces",
    "clear": "sharp sharper clear clearer detailed crisp better",
    "compression": "compress compression compressed squeeze squeezed summarize summarise summary shrink "
    "reduce reduction condense condensed zip pack packed packing cram",
    "force": "force forced need push pushed compel obliged",
    "gaps": "gap gaps hole holes empty region regions",
    "fail": "fail fails bad badly poor poorly worse weak terrible struggles struggle",
    "well": "good great fine perfect perfectly well works",
    "known": "known seen familiar",
    "unknown": "unknown unseen unfamiliar new fresh test validation holdout",
    "straight": "straight flat linear line lines plane | curve curves curved bent bend bends twisted "
    "nonlinear",
}

# Groups whose words turn a sentence round when they are negated or replaced by their opposite.
POLAR = word_set(
    """store copy learn need require enough useful near generate robust blurry linear fast better possible
    remove restore memorize reconstruct capture classifier prefer label complex overfit relate
    generalize sample ignore finetune downstream different"""
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
